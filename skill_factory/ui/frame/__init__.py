"""The frame around every page, and the pieces that several pages share. No page folder imports another."""
