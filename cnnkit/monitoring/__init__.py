"""What whoever runs a server can watch: events in the log, metrics, health.

Importing this imports nothing; its modules know no other part but settings and errors.
"""
