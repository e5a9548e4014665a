package ui

// linksView draws the links view.
func (p *painter) linksView(r rect) { p.put(r.x, r.y, r.w, "links", inkDim) }
