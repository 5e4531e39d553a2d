"""What in the names is worth a security analyst's time: one question a file, and what is made of its rows."""
