"""Shadows of the library, made for searching. Any of them can be thrown away and made again."""
