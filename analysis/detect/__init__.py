"""What in the names is worth a security analyst's time: one question a file, and what is made of its rows."""

# Many candidates are harmless, and found to be so only when they are judged.
CANDIDATES = 1000
