"""The agent as a product: a task in words, a repository of the user's, a change that is shown before it is made."""
