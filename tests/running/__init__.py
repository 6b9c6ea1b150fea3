"""The app in processes and under servers of its own, as its users run it."""
