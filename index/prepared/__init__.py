"""How does a model of sentence-transformers run without torch? What embedders and rerankers share: prepared once, then run by OpenVINO."""
