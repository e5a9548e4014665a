package ui

// logView draws the log view.
func (p *painter) logView(r rect) { p.put(r.x, r.y, r.w, "log", inkDim) }
