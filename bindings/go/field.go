package torii

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Field is a member of a body that is set, cleared, or left alone. The zero Field is not sent.
type Field[T any] struct {
	value *T
	sent  bool
}

// Set sets a field to a value.
func Set[T any](value T) Field[T] {
	return Field[T]{value: &value, sent: true}
}

// Clear clears a field: it is sent as null.
func Clear[T any]() Field[T] {
	return Field[T]{sent: true}
}

// IsZero reports whether the field is left alone.
func (f Field[T]) IsZero() bool {
	return !f.sent
}

// MarshalJSON returns the value, or null.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(f.value)
}

// encode returns a body with its known and its extra members.
func encode(body any, extra map[string]any) (string, error) {
	var objects []string
	for _, part := range []any{body, extra} {
		object, err := marshal("", part)
		if err != nil {
			return "", err
		}
		if len(object) > len("{}") && object[0] == '{' {
			objects = append(objects, object[1:len(object)-1])
		}
	}
	return "{" + strings.Join(objects, ",") + "}", nil
}

func marshal(name string, value any) (string, error) {
	if err := checkUTF8(name, reflect.ValueOf(value)); err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("torii: %w", err)
	}
	return string(text), nil
}

// checkUTF8 finds text that encoding/json would change silently.
func checkUTF8(name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return &Error{Status: ErrInvalidArgument, Message: name + " is not UTF-8"}
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return checkUTF8(name, v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkUTF8(name, v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			key := fmt.Sprint(entries.Key())
			if !utf8.ValidString(key) {
				return checkUTF8("a name in "+name, entries.Key())
			}
			if err := checkUTF8(strings.TrimPrefix(name+"."+key, "."), entries.Value()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			member, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if member == "" {
				member = name
			}
			if err := checkUTF8(member, v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
