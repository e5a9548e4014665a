package ui

import "slices"

// The groups of keys that mean something in one view only, or in two.
const (
	groupLog   = "log and node view"
	groupLinks = "links view"
	groupOps   = "clients view"
)

// help is the list of keys over the screen.
type help struct {
	on   bool
	from int // the first group shown
}

// only makes a binding one of some views.
func (b binding) only(views ...view) binding {
	b.in = views
	return b
}

// here returns the keys that mean something in a view: its own first and, of
// those that mean the same everywhere, what they leave.
func here(keys []binding, v view) []binding {
	var own, rest []binding
	taken := map[string]bool{}
	for _, b := range keys {
		if slices.Contains(b.in, v) {
			own = append(own, b)
			for _, name := range b.Keys() {
				taken[name] = true
			}
		}
	}
	for _, b := range keys {
		if len(b.in) == 0 && slices.ContainsFunc(b.Keys(), func(name string) bool { return !taken[name] }) {
			rest = append(rest, b)
		}
	}
	return append(own, rest...)
}

// viewKeys returns the keys of the views, and of what is looked at in them.
func viewKeys() []binding {
	var all []binding
	for _, b := range []binding{
		bindKey(groupLog, "left right", "another entry; shift: ten", moveInLog, "left", "right", "shift+left", "shift+right").inFooter(1, "entry"),
		bind(groupLog, "0", "the newest entry", (*model).newestEntry, "0").inFooter(2, "newest"),
	} {
		all = append(all, b.only(viewLog, viewNode))
	}
	for _, b := range linkKeys() {
		all = append(all, b.only(viewLinks))
	}
	for _, b := range []binding{
		bindKey(groupOps, "left right", "another call; shift: ten", moveInOps, "left", "right", "shift+left", "shift+right").inFooter(1, "operation"),
		bind(groupOps, "0", "the newest operation", (*model).newestOp, "0").inFooter(2, "newest"),
		bind(groupOps, "[", "look closer", (*model).closer, "[").inFooter(3, "closer"),
		bind(groupOps, "]", "from further away", (*model).further, "]").inFooter(4, "further"),
	} {
		all = append(all, b.only(viewClients))
	}
	return append(all,
		bind(groupScreen, "z", "zoom a pane of the stage", (*model).zoomMenu, "z"),
		bind(groupScreen, "/", "filter the story", (*model).openFilter, "/"),
		bind(groupScreen, "j", "what proves a violation", (*model).nextProof, "j"),
		bind(groupScreen, "V", "stop at a violation or not", (*model).toggleStop, "V"))
}

// pressInHelp scrolls the help, or closes it.
func (m *model) pressInHelp(pressed string) {
	switch pressed {
	case "down":
		m.help.from = min(m.help.from+1, len(helpGroups(here(m.keys, m.view)))-1)
	case "up":
		m.help.from = max(m.help.from-1, 0)
	default:
		m.help.on, m.help.from = false, 0
	}
}
