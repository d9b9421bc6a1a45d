<?php

declare(strict_types=1);

namespace Torii;

use Torii\Exception\InvalidArgumentException;

/**
 * Options of the library on their way into a verifier or a client. What is null keeps its default.
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

    public function text(string $name, #[\SensitiveParameter] string $value): void
    {
        Library::check($this->call($name, $value, strlen($value), Library::error()));
    }

    public function optionalText(string $name, #[\SensitiveParameter] ?string $value): void
    {
        if ($value !== null) {
            $this->text($name, $value);
        }
    }

    public function number(string $name, ?int $value): void
    {
        if ($value !== null) {
            self::checkRange($name, $value, 0xFFFFFFFF);
            Library::check($this->call($name, $value, Library::error()));
        }
    }

    public function milliseconds(string $name, ?float $seconds): void
    {
        $this->number($name, $seconds === null ? null : (int) round($seconds * 1000));
    }

    public function size(string $name, ?int $value): void
    {
        if ($value !== null) {
            self::checkRange($name, $value, PHP_INT_MAX);
            $this->call($name, $value);
        }
    }

    /** For what cannot fail. */
    public function value(string $name, mixed $value, mixed ...$more): void
    {
        if ($value !== null) {
            $this->call($name, $value, ...$more);
        }
    }

    /** Makes what the options are for. */
    public function make(#[\SensitiveParameter] string $subject): Handle
    {
        $ffi = Library::ffi();
        $out = Library::output("torii_{$this->kind}_t");
        $new = "torii_{$this->kind}_new";
        Library::check($ffi->$new($subject, strlen($subject), $this->options->pointer, $out, Library::error()));
        return new Handle($out[0], "torii_{$this->kind}_free");
    }

    /** FFI would cut a number that does not fit to one that does. */
    private static function checkRange(string $name, int $value, int $max): void
    {
        if ($value < 0 || $value > $max) {
            throw new InvalidArgumentException(strtr(preg_replace('/^set_/', '', $name), '_', ' ') . ': out of range');
        }
    }

    private function call(string $name, mixed ...$arguments): int
    {
        $function = "torii_{$this->kind}_options_$name";
        return Library::ffi()->$function($this->options->pointer, ...$arguments);
    }
}
