"""Which passages fit this query?"""
