"""What every page shares: the frame, its words and charts, who may open it, what errors look like."""
