"""The same work in other frameworks, written as their users write it, to be timed against ours.

They need the extra `peers`: pip install 'mmjax[peers]'.
"""
