package trace

import (
	"fmt"
	"time"
)

// Clock formats a moment of virtual time as h:mm:ss.t, rounded toward zero.
func Clock(at time.Duration) string {
	sign := ""
	if at < 0 {
		sign, at = "-", -at
	}
	t := at / (100 * time.Millisecond)
	return fmt.Sprintf("%s%d:%02d:%02d.%d", sign, t/36000, t/600%60, t/10%60, t%10)
}

// ClockMillis formats a moment of virtual time as h:mm:ss.ttt, rounded toward zero.
func ClockMillis(at time.Duration) string {
	millis := max(at, -at).Milliseconds() % 100
	return fmt.Sprintf("%s%02d", Clock(at), millis)
}

// Seconds formats a duration or a moment for a sentence: 12ms, 700ms, 2.0s, 83.5s. It rounds
// toward zero as [Clock] does, because a line can show both.
func Seconds(d time.Duration) string {
	if d < time.Second {
		return d.Truncate(time.Millisecond).String()
	}
	return fmt.Sprintf("%d.%ds", d/time.Second, d/(100*time.Millisecond)%10)
}

// Moments formats two moments for a sentence, like [Seconds] but with as many digits as it takes to
// tell them apart.
func Moments(a, b time.Duration) (first, second string) {
	first, second = Seconds(a), Seconds(b)
	unit := time.Millisecond
	for digits := 3; first == second && a != b; digits += 3 {
		first = fmt.Sprintf("%.*fs", digits, a.Truncate(unit).Seconds())
		second = fmt.Sprintf("%.*fs", digits, b.Truncate(unit).Seconds())
		unit /= 1000
	}
	return first, second
}

// Age formats how long ago something happened, in at most five characters for up to a
// century: 0.4s, 34s, 5m, 99h, 41d. A negative age is 0.0s.
func Age(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		tenths := max(d, 0) / (100 * time.Millisecond)
		return fmt.Sprintf("%d.%ds", tenths/10, tenths%10)
	case d < 100*time.Second:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
