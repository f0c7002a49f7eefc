"""What does the material say, and where?"""
