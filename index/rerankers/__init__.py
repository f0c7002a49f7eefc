"""Who reads query and passage together? Any cross-encoder of sentence-transformers, if one is set."""
