package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"capsize/cluster/trace"
	"capsize/faults"
)

// handMax is how much virtual time a command by hand may take: more than the longest lease that
// fire lets pass.
const handMax = 2 * durationMax

// handCommands move single messages, and fire single timers.
func handCommands() []declaration {
	return []declaration{
		{
			name: faults.Hold{}.Name(), syntax: "hold LINK|all [only KIND,…]", byHand: true, virtual: needsStillClock,
			help: faults.Hold{}.Meaning(), parse: parseHold,
		},
		{name: "release", syntax: "release", help: "end every hold: what waits arrives, in order", byHand: true, virtual: needsStillClock, parse: func(*lineParser) (action, error) {
			return func(r *run) error { return r.c.Release() }, nil
		}},
		{
			name: "deliver", syntax: "deliver #ID | [LINK|all] [KIND,…] [request|reply] [nth N]   [twice]", byHand: true, virtual: needsStillClock,
			help: "deliver messages that wait on held links, at once: all that match, or the Nth of them", parse: parseDeliver,
		},
		{
			name: "drop", syntax: "drop #ID | [LINK|all] [KIND,…] [request|reply] [nth N]", byHand: true, virtual: needsStillClock,
			help: "lose messages that wait on held links", parse: parseDrop,
		},
		{
			name: "fire", syntax: "fire SEL election|heartbeat|lease | fire LINK [KIND,…] deadline", byHand: true, virtual: firesNoRealTimer,
			help: "let one timer fire, and no other: an election timer, a leader's next heartbeats, an RPC deadline, or the end of a lease, which lets up to that much time pass", parse: parseFire,
		},
	}
}

func parseHold(p *lineParser) (action, error) {
	var some *links // nil for all
	if p.isLink() || p.peek() != "all" {
		l, err := p.links()
		if err != nil {
			return nil, err
		}
		some = &l
	} else {
		p.accept("all")
	}
	fault := faults.LinkFault(faults.Hold{})
	if p.accept("only") {
		kinds, err := p.messageKinds()
		if err != nil {
			return nil, err
		}
		fault = faults.Only(fault, kinds...)
	}
	return func(r *run) error {
		if some == nil {
			return r.c.Hold(r.c.AllLinks(), fault)
		}
		held, err := some.resolve(r)
		if err != nil {
			return err
		}
		return r.c.Hold(held, fault)
	}, nil
}

// isLink reports whether the next words are a link.
func (p *lineParser) isLink() bool {
	if p.pos+1 >= len(p.words) {
		return false
	}
	arrow := p.words[p.pos+1].text
	return arrow == "->" || arrow == "<->"
}

func parseDeliver(p *lineParser) (action, error) {
	which, err := p.waiting()
	twice := p.accept("twice")
	return func(r *run) error {
		again := ""
		if twice {
			again = " twice"
		}
		return r.byHand(which, "deliver", again, func(f *trace.InFlight) error {
			return r.c.Deliver(trace.Link{From: f.From, To: f.To}, f.ID, twice)
		})
	}, err
}

func parseDrop(p *lineParser) (action, error) {
	which, err := p.waiting()
	return func(r *run) error {
		return r.byHand(which, "drop", "", func(f *trace.InFlight) error {
			return r.c.Drop(trace.Link{From: f.From, To: f.To}, f.ID)
		})
	}, err
}

// byHand moves the packets that a command names.
func (r *run) byHand(which waitingPackets, verb, end string, move func(*trace.InFlight) error) error {
	r.c.Settle() // what was started before, such as an async increment, has sent its messages
	state := r.state()
	found, err := which.resolve(r, state)
	if err != nil {
		return err
	}
	if len(which.ids) > 0 && r.logged != nil {
		r.shared.restate(r.logged, restated(verb, end, found, state))
	}
	var errs []error
	for i := range found {
		// What is dropped takes what is behind it on its connection along.
		if i == 0 || slices.ContainsFunc(r.state().Waiting, func(f trace.InFlight) bool { return f.ID == found[i].ID }) {
			errs = append(errs, move(&found[i]))
		}
	}
	return joinErrors(errs)
}

// restated returns commands that name packets as another run can: their numbers differ there.
func restated(verb, end string, found []trace.InFlight, s *trace.State) []string {
	var lines []string
	moved := map[uint64]bool{}
	for i := range found {
		f := &found[i]
		nth, same := 1, 0
		for j := range s.Waiting {
			g := &s.Waiting[j]
			if g.From == f.From && g.To == f.To && g.Kind == f.Kind && g.Reply == f.Reply && !moved[g.ID] {
				if same++; g.ID == f.ID {
					nth = same
				}
			}
		}
		moved[f.ID] = true
		line := fmt.Sprintf("%s %s -> %s %s %s", verb, f.From, f.To, f.Kind, requestOrReply(f.Reply))
		if same > 1 {
			line += fmt.Sprintf(" nth %d", nth)
		}
		lines = append(lines, line+end)
	}
	return lines
}

func requestOrReply(reply bool) string {
	if reply {
		return "reply"
	}
	return "request"
}

// waitingPackets says which of the packets that wait are meant.
type waitingPackets struct {
	text  string   // as it was written
	ids   []uint64 // these, and nothing below counts
	links *links   // on these links, nil for all
	kinds []string // of these kinds, empty for all
	side  string   // "request", "reply", or "" for both
	nth   int      // only this one of them, from 1; 0 for all
}

// waiting takes which of the packets that wait are meant.
func (p *lineParser) waiting() (waitingPackets, error) {
	var w waitingPackets
	if !p.hasMore() {
		return w, p.failMissing("what waits: #ID, a link like n1 -> n2, a kind of message, or all")
	}
	start := p.pos
	if strings.HasPrefix(p.peek(), "#") {
		for strings.HasPrefix(p.peek(), "#") {
			at, _ := p.next("a packet")
			id, err := strconv.ParseUint(at.text[1:], 10, 64)
			if err != nil {
				return w, p.fail(at, "%q is not a packet; use # and its number, like #12", at.text)
			}
			w.ids = append(w.ids, id)
		}
		return w, nil
	}
	if p.isLink() {
		l, err := p.links()
		if err != nil {
			return w, err
		}
		w.links = &l
	} else {
		p.accept("all")
	}
	err := p.waitingWhat(&w)
	w.text = strings.Join(wordTexts(p.words[start:p.pos]), " ")
	return w, err
}

// waitingWhat takes the kinds of packets that are meant, and how many.
func (p *lineParser) waitingWhat(w *waitingPackets) error {
	for p.hasMore() && !slices.Contains([]string{"request", "reply", "nth", "twice"}, p.peek()) {
		kinds, err := p.messageKinds()
		if err != nil {
			return err
		}
		for _, kind := range kinds {
			w.kinds = append(w.kinds, kind.String())
		}
	}
	for _, side := range []string{"request", "reply"} {
		if p.accept(side) {
			w.side = side
		}
	}
	if p.accept("nth") {
		n, err := p.integer("a position among those that match", 1, waitingMax)
		w.nth = int(n)
		return err
	}
	return nil
}

// waitingMax is the largest position that nth accepts.
const waitingMax = 10_000

func wordTexts(words []word) []string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return texts
}

// errNothingWaits is the error of a command by hand that finds no packet. After try it leaves no
// line in the story: the packet has been moved by hand before.
type errNothingWaits struct{ text string }

func (e errNothingWaits) Error() string { return e.text }

// resolve returns the packets that are meant, in the order in which they came to wait.
func (w waitingPackets) resolve(r *run, s *trace.State) ([]trace.InFlight, error) {
	var found []trace.InFlight
	if len(w.ids) > 0 {
		for _, id := range w.ids {
			i := slices.IndexFunc(s.Waiting, func(f trace.InFlight) bool { return f.ID == id })
			if i < 0 {
				return nil, errNothingWaits{whyNotWaiting(s, id)}
			}
			found = append(found, s.Waiting[i])
		}
		return found, nil
	}
	var on []trace.Link
	if w.links != nil {
		var err error
		if on, err = w.links.resolve(r); err != nil {
			return nil, err
		}
	}
	for _, f := range s.Waiting {
		if (w.links == nil || slices.Contains(on, trace.Link{From: f.From, To: f.To})) &&
			(len(w.kinds) == 0 || slices.Contains(w.kinds, f.Kind)) && (w.side == "" || w.side == requestOrReply(f.Reply)) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 0 && !s.HoldsAny():
		return nil, errNothingWaits{"nothing is waiting: no link is held; hold all holds every link"}
	case len(found) == 0:
		return nil, errNothingWaits{fmt.Sprintf("no waiting message matches %q now", w.text)}
	case w.nth > len(found):
		return nil, errNothingWaits{fmt.Sprintf("only %d waiting messages match %q now", len(found), w.text)}
	case w.nth > 0:
		found = found[w.nth-1 : w.nth]
	}
	return found, nil
}

// whyNotWaiting says why a packet does not wait.
func whyNotWaiting(s *trace.State, id uint64) string {
	i := slices.IndexFunc(s.InFlight, func(f trace.InFlight) bool { return f.ID == id })
	if i < 0 {
		return fmt.Sprintf("#%d is not waiting: it was never sent, or is long gone", id)
	}
	f := &s.InFlight[i]
	switch f.Status {
	case trace.Delivered:
		return fmt.Sprintf("#%d is not waiting: it was delivered at %s", id, trace.ClockMillis(f.EndedAt))
	case trace.Lost:
		return fmt.Sprintf("#%d is not waiting: it was lost at %s (%s)", id, trace.ClockMillis(f.EndedAt), f.Why)
	case trace.Sent, trace.Waiting, trace.Expired:
	}
	return fmt.Sprintf("#%d is not waiting: it is in flight; hold %s -> %s first", id, f.From, f.To)
}

func parseFire(p *lineParser) (action, error) {
	if p.isLink() {
		return parseFireDeadline(p)
	}
	sel, err := p.selector()
	if err != nil {
		return nil, err
	}
	timer, err := p.choice("a timer", "election", "heartbeat", "lease")
	return func(r *run) error {
		r.c.Settle()
		id, err := sel.resolveOne(r)
		if err != nil {
			return err
		}
		switch timer {
		case "election":
			return r.c.FireElection(id)
		case "heartbeat":
			return r.c.FireHeartbeat(id)
		}
		return r.c.FireLease(id)
	}, err
}

func parseFireDeadline(p *lineParser) (action, error) {
	l, err := p.links()
	if err != nil {
		return nil, err
	}
	var kinds []faults.Kind
	if p.peek() != "deadline" {
		if kinds, err = p.messageKinds(); err != nil {
			return nil, err
		}
	}
	err = p.expect("deadline", "after the link")
	return func(r *run) error {
		r.c.Settle()
		return r.forEachLink(l, func(from, to string) error {
			return r.c.Expire(trace.Link{From: from, To: to}, kinds...)
		})
	}, err
}

// isNothingWaiting reports whether err says that no packet waits.
func isNothingWaiting(err error) bool { return errors.As(err, &errNothingWaits{}) }

// HandSteps returns for each time at which the script waits for its presenter whether it gives the
// messages into the audience's hand there: a try of a command by hand follows, which does what the
// audience has not done.
func (s *Script) HandSteps() (hands []bool) {
	questions := 0
	for i := range s.steps {
		switch s.steps[i].command.Verb {
		case "step":
			next := Command{}
			if i+1 < len(s.steps) {
				next = s.steps[i+1].command
			}
			hands = append(hands, next.Verb == "try" && next.IsByHand())
		case "because":
			if !s.questions[questions].stepFollows {
				hands = append(hands, false) // it waits until the answer has been read
			}
			questions++
		}
	}
	return hands
}
