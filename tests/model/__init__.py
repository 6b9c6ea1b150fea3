"""Hypothesis models: the protocol itself, the shared map, the lanes, the page's session."""
