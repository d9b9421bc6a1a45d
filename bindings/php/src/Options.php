<?php

declare(strict_types=1);

namespace Torii;

use Torii\Exception\InvalidArgumentException;

/**
 * Options of a verifier or a client, as the library takes them. null keeps the default.
 *
 * @internal
 */
final class Options
{
    private readonly Handle $options;

    /** @param string $kind "verifier" or "client" */
    public function __construct(private readonly string $kind)
    {
        $new = "torii_{$kind}_options_new";
        $this->options = new Handle(Library::ffi()->$new(), "torii_{$kind}_options_free");
    }

    public function text(string $name, #[\SensitiveParameter] string ...$values): void
    {
        $arguments = [];
        foreach ($values as $value) {
            array_push($arguments, $value, strlen($value));
        }
        $this->set($name, ...$arguments);
    }

    public function optionalText(string $name, #[\SensitiveParameter] ?string $value): void
    {
        if ($value !== null) {
            $this->text($name, $value);
        }
    }

    public function number(string $name, ?int $value, int $max = 0xFFFFFFFF): void
    {
        if ($value !== null) {
            self::checkRange($name, $value, $max);
            $this->set($name, $value);
        }
    }

    public function milliseconds(string $name, ?float $seconds): void
    {
        $this->number($name, $seconds === null ? null : (int) round($seconds * 1000));
    }

    /** For booleans and pointers. */
    public function value(string $name, mixed $value, mixed ...$more): void
    {
        if ($value !== null) {
            $this->set($name, $value, ...$more);
        }
    }

    /** Creates the verifier or client with these options. */
    public function make(#[\SensitiveParameter] string $subject): Handle
    {
        $ffi = Library::ffi();
        $out = Library::output("torii_{$this->kind}_t *");
        $new = "torii_{$this->kind}_new";
        Library::check($ffi->$new($subject, strlen($subject), $this->options->pointer, $out, Library::error()));
        return new Handle($out[0], "torii_{$this->kind}_free");
    }

    /** FFI would truncate a number that does not fit. */
    private static function checkRange(string $name, int $value, int $max): void
    {
        if ($value < 0 || $value > $max) {
            throw new InvalidArgumentException(strtr(preg_replace('/^set_/', '', $name), '_', ' ') . ': out of range');
        }
    }

    private function set(string $name, mixed ...$arguments): void
    {
        $function = "torii_{$this->kind}_options_$name";
        $arguments[] = Library::error();
        Library::check(Library::ffi()->$function($this->options->pointer, ...$arguments));
    }
}
