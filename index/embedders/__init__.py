"""Where do vectors come from? One file per source: the embedded model, any sentence-transformers model, a server."""
