package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// class says how much a message matters. Where there is no room for all, the
// later classes are left out first.
type class int

const (
	decisive   class = iota // snapshots, and leadership that is handed over
	votes                   // requests for votes and their answers
	entries                 // appends that carry entries
	answers                 // answers to those
	prevotes                // whether an election could be won
	empty                   // appends without entries, and answers to those
	heartbeats              // and their answers
	classes
)

// classNames are what is left out, in words.
var classNames = [classes]string{"decisive messages", "messages about votes", "appends", "answers to appends", "messages about pre-votes", "appends without entries", "heartbeats"}

const (
	// arrowsMax is how many messages of the classes that matter are drawn.
	arrowsMax = 220
	// routineMax is how many there may be with heartbeats and empty appends.
	routineMax = 90
)

// message is a packet from its sending to its end.
type message struct {
	from, to string
	kind     string
	reply    bool
	ok       bool
	class    class
	sent     time.Duration
	end      time.Duration // when it arrived or would have
	lost     bool
}

// messageLog are those of a scene, by class. Of a class that will not be drawn only
// the number is kept.
type messageLog struct {
	kept     [classes][]message
	count    [classes]int
	inFlight map[uint64]message // by the packet's ID
	asked    map[uint64]class   // of the requests that may be answered yet, by RPC
}

func newMessages() messageLog {
	return messageLog{inFlight: map[uint64]message{}, asked: map[uint64]class{}}
}

// add notes the sending or the end of a packet. A lost one is drawn on half of the
// way that it would have taken.
func (m *messageLog) add(at time.Duration, p *trace.Packet, latency time.Duration) {
	if p.Status == trace.Sent {
		if len(m.inFlight) > inFlightMax || len(m.asked) > inFlightMax {
			m.inFlight, m.asked = map[uint64]message{}, map[uint64]class{}
		}
		one := message{from: p.From, to: p.To, kind: p.Kind, reply: p.Reply, ok: p.OK, class: m.classOf(p), sent: at}
		m.inFlight[p.ID] = one
		return
	}
	one, ok := m.inFlight[p.ID]
	delete(m.inFlight, p.ID)
	if !ok {
		return
	}
	one.end, one.lost = at, p.Status == trace.Lost
	if one.lost {
		one.end = one.sent + max(latency, time.Millisecond)
	}
	m.count[one.class]++
	if m.count[one.class] <= arrowsMax {
		m.kept[one.class] = append(m.kept[one.class], one)
	}
}

// classOf finds the class of a packet that is sent.
func (m *messageLog) classOf(p *trace.Packet) class {
	if p.Reply {
		asked, ok := m.asked[p.RPC]
		delete(m.asked, p.RPC)
		switch {
		case !ok:
			return empty
		case asked == entries:
			return answers
		}
		return asked
	}
	c := empty
	switch {
	case p.Kind == "snapshot" || p.Kind == "timeout-now":
		c = decisive
	case p.Kind == "vote":
		c = votes
	case p.Kind == "prevote":
		c = prevotes
	case p.Kind == "heartbeat":
		c = heartbeats
	case p.Entries > 0:
		c = entries
	}
	m.asked[p.RPC] = c
	return c
}

// choose returns the messages that there is room for, in the order of their
// sending, and says in words what is left out.
func (m *messageLog) choose() (chosen []message, left string) {
	var out []string
	for c := range classes {
		limit := arrowsMax
		if c >= prevotes {
			limit = routineMax
		}
		if len(out) > 0 || len(chosen)+m.count[c] > limit {
			if m.count[c] > 0 {
				out = append(out, fmt.Sprintf("%d %s", m.count[c], classNames[c]))
			}
			continue
		}
		chosen = append(chosen, m.kept[c]...)
	}
	slices.SortStableFunc(chosen, func(a, b message) int { return cmp.Compare(a.sent, b.sent) })
	return chosen, strings.Join(out, ", ")
}
