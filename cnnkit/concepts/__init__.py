"""Small experiments that answer learners' questions. NumPy alone, pure functions."""
