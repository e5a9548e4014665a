package ui

// help is the list of keys over the screen.
type help struct {
	on   bool
	from int // the first group shown
}

// pressInHelp scrolls the help, or closes it.
func (m *model) pressInHelp(pressed string) {
	switch pressed {
	case "down":
		m.help.from = min(m.help.from+1, len(helpGroups(m.keysHere()))-1)
	case "up":
		m.help.from = max(m.help.from-1, 0)
	default:
		m.help.on, m.help.from = false, 0
	}
}
