"""The whole way in a real browser. A package, so that its tests share the world and Chromium."""
