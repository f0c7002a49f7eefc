"""How do others ask?"""
