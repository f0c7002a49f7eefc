"""What does a question mean that says only what is new? It is completed from the conversation, by rules."""
