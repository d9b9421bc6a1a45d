package torii

// #include "shim.h"
import "C"

import (
	"encoding/json"
	"fmt"
	"unsafe"
)

// take copies a JSON text of C and frees it; nil for NULL.
func take(out *C.torii_json_t) json.RawMessage {
	var n C.size_t
	defer C.torii_json_free(out)
	p := C.torii_json_text(out, &n)
	return json.RawMessage(C.GoBytes(unsafe.Pointer(p), C.int(n)))
}

func decode(text json.RawMessage, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("torii: answer: unknown form: %w", err)
	}
	return nil
}
