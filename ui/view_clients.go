package ui

// clientsView draws the clients view.
func (p *painter) clientsView(r rect) { p.put(r.x, r.y, r.w, "clients", inkDim) }
