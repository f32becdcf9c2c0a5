"""The study: which strategy is most effective. README.md says how it is run."""
