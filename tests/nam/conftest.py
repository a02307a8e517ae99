collect_ignore = ["library.py"]
