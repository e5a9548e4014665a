package cluster

import (
	"fmt"
	"reflect"
)

// firstDifference returns where two values differ first, and how, "" if they do not. A
// list that is empty is like one that is not there: a copy may have it of an earlier
// state.
func firstDifference(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if d := firstDifference(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		if a.Len() == b.Len() {
			for i := range a.Len() {
				if d := firstDifference(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
					return d
				}
			}
			return ""
		}
	case reflect.Map:
		if a.Len() == b.Len() {
			for _, k := range a.MapKeys() {
				if !b.MapIndex(k).IsValid() {
					return fmt.Sprintf("%s has no %v", path, k)
				}
				if d := firstDifference(fmt.Sprintf("%s[%v]", path, k), a.MapIndex(k), b.MapIndex(k)); d != "" {
					return d
				}
			}
			return ""
		}
	default:
		if a.Equal(b) {
			return ""
		}
	}
	return fmt.Sprintf("%s: %#v, not %#v", path, a, b)
}
