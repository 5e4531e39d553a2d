"""The DNS doctor: one diagnosis is one question (``NAME.sql``), and what is made of its rows (``NAME.py``)."""
