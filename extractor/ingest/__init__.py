"""Files as people have them, made into text: PDF, scans, Word, web pages, mail, archives."""
