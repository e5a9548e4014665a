package ui

// zoomMenu asks which pane of the stage is to have all the room, or gives it
// back to the others.
func (m *model) zoomMenu() {
	if m.views.stage.zoom != "" {
		m.views.stage.zoom = ""
		return
	}
	o := m.open("all the room for", menuNote)
	for _, z := range []struct{ key, pane, detail string }{
		{"r", zoomRing, "the nodes and what they say"},
		{"t", zoomTable, "the nodes in numbers"},
		{"l", zoomLog, "the ends of all logs"},
		{"i", zoomTime, "who led when"},
		{"s", zoomStory, "what happened and why"},
	} {
		o.add(z.key, z.pane, z.detail, false, func() { m.views.stage.zoom = z.pane; m.turnTo(m.views.stage) })
	}
	// The key that asked leaves as well.
	o.add("z", "back", "all panes", false, func() {})
}
