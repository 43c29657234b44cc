"""What publications report, and what the project measured beside it."""
