"""How does a file become passages that can be cited?"""
