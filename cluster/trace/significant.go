package trace

// IsSignificant says whether an event is worth stopping at. Heartbeats, appends and
// their replies are not: what they bring about is an event of its own; a refused
// append is, and so is each vote asked for or given, once it arrives or is lost.
// Lines of the library's log are not, nor is a check that finds all well.
func IsSignificant(e *Event) bool {
	switch {
	case e.Kind == KindLogLine, e.Kind == KindVerdict && e.Verdict == VerdictOK:
		return false
	case e.Kind != KindPacket || e.Packet == nil:
		return true
	case e.Packet.Kind == "append":
		return e.Packet.Reply && !e.Packet.OK && e.Packet.Status == Delivered
	}
	return e.Packet.Kind != "heartbeat" && e.Packet.Status != Sent
}
