"""The learner. It knows samples and weights, nothing of tasks, scaffolds or samplers."""
