"""The canonical vocabulary: what every source becomes, and how versions of facts turn into the view of a day."""
