package ui

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/cluster/trace/message"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/view"
)

// hand is hand delivery: while links are held, packets wait until the user delivers them.
type hand struct {
	holds   bool // links are held at the moment shown
	former  int  // the view before that, an index into views.All
	stopped bool // the key M has stopped the clock
	ran     bool // and the clock ran before
	look    look
}

// look is the message looked into.
type look struct {
	open     bool
	id       uint64 // of its packet, also after a jump to one of its events; 0 for none
	exchange *message.Exchange
}

// scenarioHolds answers the key M while a scenario is on stage.
const scenarioHolds = "M works once the scenario has ended: until then the scenario holds and releases messages"

// handKeys are the keys of the hand view that work elsewhere too.
func (m *model) handKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(view.GroupHand, "M", "release, or hold all links", m.toggleHand, "M").Only("hand").InFooter(4, "release").If("hold"),
		keymap.Bind(view.GroupHand, "e", "look into it", m.lookNext, "e").Only("hand").InFooter(5, "look into"),
	}
}

// toggleHand holds all links and stops the clock, or releases them.
func (m *model) toggleHand() {
	if (m.travel.inPast() || !m.IsLive()) && m.state.HoldsAny() {
		m.showView(m.views.Hand)
		m.setToast("", "packets that were held at this moment: look only", false)
		return
	}
	if m.rejectIfReadOnly() {
		return
	}
	switch {
	case !m.can("hold"):
		m.submit("hold all", "") // which says why not
		return
	case m.presents() && !m.presenter.ended:
		m.setToast("", scenarioHolds, true)
		return
	case len(m.nodes()) < 2:
		m.setToast("", "a single node sends no messages: + adds another", true)
		return
	}
	holds := false
	m.Engine.Read(func(s *trace.State) { holds = s.HoldsAny() })
	if holds {
		m.release()
		return
	}
	h := &m.hand
	h.stopped, h.ran, m.paused = true, !m.paused, true
	m.setSpeed()
	m.submit("hold all", "held: enter delivers, M releases")
	if m.toast.Bad {
		m.runAsBefore()
	}
}

// scenarioMoves answers the keys that move messages while the scenario moves them.
const scenarioMoves = "the scenario moves these messages itself: n goes on"

// handleHandOnStage hands a key that moves messages to a scenario that moves them itself, and
// reports whether it took it. The audience has them in its hand only where the scenario says so.
func (m *model) handleHandOnStage(pressed string) bool {
	if m.view() != m.views.Hand || !m.presents() || m.presenter.ended || m.travel.past || m.inHand() {
		return false
	}
	switch pressed {
	case "enter":
		m.nextStep()
	case "x", "2", "shift+up", "shift+down":
		m.setToast("", scenarioMoves, true)
	default:
		return false
	}
	return true
}

// inHand reports whether the scenario waits for the audience to move messages.
func (m *model) inHand() bool {
	if !m.scenarioStage.Waits() || m.asks() {
		return false
	}
	hands, at := m.script.HandSteps(), m.scenarioStage.Steps()
	return at > 0 && at <= len(hands) && hands[at-1]
}

// release lets everything flow, in the order that the user has chosen.
func (m *model) release() {
	commands, delivered := m.views.Hand.ReleaseCommands()
	done := "released"
	if delivered > 0 {
		done = fmt.Sprintf("released, the first %d in your order", delivered)
	}
	for _, command := range commands {
		m.submit(command, done)
	}
}

// runAsBefore lets the clock run on if it ran before the key M stopped it.
func (m *model) runAsBefore() {
	if m.hand.stopped && m.hand.ran {
		m.paused = false
	}
	m.hand.stopped = false
	m.setSpeed()
}

// updateHand shows the hand view when links become held, and the former one when none is any
// more. Once a frame.
func (m *model) updateHand() {
	h := &m.hand
	if h.look.open {
		h.look.exchange.Extend(m.History)
	}
	holds := m.state.HoldsAny()
	if holds == h.holds {
		return
	}
	h.holds = holds
	switch shown := m.view() == m.views.Hand; {
	case holds && !shown:
		h.former = m.current
		m.showView(m.views.Hand)
	case !holds && shown:
		m.current = h.former
	}
	if !holds && !m.travel.past {
		m.runAsBefore()
	}
}

// lookInto opens the inside of a message.
func (m *model) lookInto(id uint64) {
	x, ok := message.Find(m.History, id)
	if !ok {
		m.setToast("", fmt.Sprintf("message #%d is no longer in the history", id), true)
		return
	}
	m.hand.look = look{open: true, id: id, exchange: x}
	m.views.Hand.Focus(id)
	m.setSpeed()
}

// lookNext looks into a message on its way: the one left for a jump in time, else the one under
// the cursor of the hand view, else the newest; then one after the other.
func (m *model) lookNext() {
	l := &m.hand.look
	shown := m.messagesShown()
	at := slices.Index(shown, l.id)
	switch {
	case !l.open && l.id != 0:
		m.lookInto(l.id)
	case len(shown) == 0 && !m.can("hold"):
		m.setToast("", "no message is on its way: step back with ,", true)
	case len(shown) == 0:
		m.setToast("", "no message is on its way: step with , and . or hold all with M", true)
	case l.open:
		m.lookInto(shown[(at+1)%len(shown)])
	case m.view() == m.views.Hand && m.views.Hand.Packet() != nil:
		m.lookInto(m.views.Hand.Packet().ID)
	default:
		m.lookInto(shown[len(shown)-1])
	}
}

// messagesShown returns the IDs of the packets to look into.
func (m *model) messagesShown() []uint64 {
	if m.view() == m.views.Hand {
		return m.views.Hand.Messages()
	}
	return m.frame().Messages()
}

// closeLook closes the inside of a message. The clock continues if it ran before.
func (m *model) closeLook() {
	m.hand.look = look{}
	m.setSpeed()
}

// handleLookKey handles a key while a message is looked into, and reports whether the key was for
// it. Other keys work as always, so that one sees what they do to the message.
func (m *model) handleLookKey(pressed string) bool {
	l := &m.hand.look
	p := l.exchange.Packet(l.id)
	switch pressed {
	case "esc", "q":
		m.closeLook()
	case "space":
		ran := !m.isPausedByUser()
		m.closeLook()
		return ran
	case "e":
		m.lookNext()
	case "s":
		m.jumpTo(p.Sent, "its sending")
	case "a":
		m.jumpTo(p.Ended, "its arrival")
	case "w":
		m.jumpTo(l.exchange.WhyAt, "the reason")
	case "r":
		if other := l.exchange.Counterpart(p); other != nil {
			l.id = other.ID
			return true
		}
		m.setToast("", "no reply yet", true)
	default:
		return false
	}
	return true
}

// isPausedByUser reports whether time stands still for another reason than the message.
func (m *model) isPausedByUser() bool { return m.paused || m.travel.past && !m.travel.playing }

// jumpTo shows the moment of an event of the message. Its inside stays open for the next jump.
func (m *model) jumpTo(at trace.Position, what string) {
	if at.Seq == 0 {
		m.setToast("", what+" is not known: it has not happened yet, or the history has dropped it", true)
		return
	}
	m.travel.stepped = false
	m.setPlaying(false)
	m.showEvent(at.Seq)
}

// pointed returns the ID of the packet under the cursor of the hand view, 0 for none.
func (m *model) pointed() uint64 {
	if m.view() == m.views.Hand {
		if p := m.views.Hand.Packet(); p != nil {
			return p.ID
		}
	}
	return 0
}

// sheet returns the inside of the message looked into, nil if there is none.
func (m *model) sheet() *pane.Sheet {
	l := &m.hand.look
	if !l.open {
		return nil
	}
	sheet := view.MessageSheet(l.exchange, l.id, m.state.At)
	sheet.Aside = m.view() == m.views.Stage
	return sheet
}
