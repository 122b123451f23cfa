"""A task of your own: a folder with your files and a task.yaml that says what they are."""
