"""The truth: what documents, versions, passages and jobs there are. All SQL and all stored files live here."""
