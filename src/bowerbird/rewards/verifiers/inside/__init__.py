"""Programs that run inside sandboxes. The host reads their text and never imports them: standard library only."""
