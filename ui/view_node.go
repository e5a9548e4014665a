package ui

// nodeView draws the node view.
func (p *painter) nodeView(r rect) { p.put(r.x, r.y, r.w, "node", inkDim) }
