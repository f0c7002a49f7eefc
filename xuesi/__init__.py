"""Xuesi 学思: study materials in, questions answered with cited passages that open in the original."""

__version__ = "0.1.0"
