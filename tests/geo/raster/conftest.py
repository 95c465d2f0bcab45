"""What Python here runs elsewhere, and is not collected."""

collect_ignore_glob = ["*_asked.py"]
