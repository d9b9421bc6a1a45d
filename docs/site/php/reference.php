<?php

/*
 * Writes the reference of the PHP classes in a folder as pages of the site, one for each namespace:
 *
 *     php reference.php SRC NAMESPACE AUTOLOAD OUTDIR
 *
 * AUTOLOAD declares what the classes need. It fails on a public class, method or property without a description.
 */

declare(strict_types=1);

if ($argc !== 5) {
    fwrite(STDERR, "usage: reference.php SRC NAMESPACE AUTOLOAD OUTDIR\n");
    exit(2);
}
[, $folder, $root, $autoload, $out] = $argv;
require $autoload;

/** The text and the tags of a comment. */
final class Comment
{
    public string $text = '';
    /** @var list<array{string, string}> name and content */
    public array $tags = [];

    public function __construct(string|false $comment)
    {
        $lines = preg_split('/\R/', preg_replace('~^\s*/\*\*|\*/\s*$~', '', $comment ?: ''));
        foreach ($lines as $line) {
            $line = rtrim(preg_replace('~^\s*\* ?~', '', $line));
            if (preg_match('/^\s?@([\w-]+)\s*(.*)$/', $line, $match)) {
                $this->tags[] = [$match[1], $match[2]];
            } elseif ($this->tags !== []) {
                $this->tags[count($this->tags) - 1][1] .= ' ' . trim($line);
            } else {
                $this->text .= $line . "\n";
            }
        }
        $this->text = trim($this->text);
    }

    public function has(string $name): bool
    {
        return $this->contents($name) !== [];
    }

    /** @return list<string> */
    public function contents(string $name): array
    {
        return array_map('trim', array_column(array_filter($this->tags, fn ($tag) => $tag[0] === $name), 1));
    }

    /** @return array{string, string} the type of a tag's content, which may have spaces, and the rest */
    public static function typed(string $content): array
    {
        $depth = 0;
        foreach (str_split($content) as $i => $c) {
            $depth += match ($c) {
                '<', '(', '{', '[' => 1,
                '>', ')', '}', ']' => -1,
                default => 0,
            };
            if ($c === ' ' && $depth === 0 && $content[$i - 1] !== ':') {
                return [substr($content, 0, $i), trim(substr($content, $i))];
            }
        }
        return [$content, ''];
    }

    /** @return array{string, string} type and description of a parameter */
    public function parameter(string $name): array
    {
        foreach ($this->contents('param') as $content) {
            [$type, $rest] = self::typed($content);
            if (preg_match('/^(?:\.\.\.)?\$' . $name . '\b\s*(.*)$/', $rest, $match)) {
                return [$type, $match[1]];
            }
        }
        return ['', ''];
    }
}

final class Reference
{
    /** @var array<string, list<ReflectionClass>> by namespace */
    private array $namespaces = [];
    /** @var array<string, string> the addresses of classes by their short names */
    private array $addresses = [];
    /** @var list<string> */
    private array $undocumented = [];

    public function __construct(string $folder, private string $root)
    {
        $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS));
        $names = array_map(static fn ($file) => substr((string) $file, strlen($folder) + 1, -4), iterator_to_array($files, false));
        sort($names);
        foreach ($names as $name) {
            $class = new ReflectionClass($root . '\\' . strtr($name, '/', '\\'));
            if (!(new Comment($class->getDocComment()))->has('internal')) {
                $this->namespaces[$class->getNamespaceName()][] = $class;
                $this->addresses[$class->getShortName()] = $this->file($class->getNamespaceName()) . '#' . $class->getShortName();
            }
        }
    }

    /** @return array<string, string> pages by file name */
    public function pages(): array
    {
        $pages = [];
        foreach ($this->namespaces as $namespace => $classes) {
            $page = "# Namespace $namespace\n\n";
            foreach ($classes as $class) {
                $summary = preg_split('/\n\n|(?<=\.) /', (new Comment($class->getDocComment()))->text)[0];
                $page .= "- [{$class->getShortName()}](#{$class->getShortName()}): " . $this->text($summary) . "\n";
            }
            if ($namespace === $this->root) {
                $page .= "\n## Namespaces {#namespaces}\n\n";
                foreach (array_diff(array_keys($this->namespaces), [$namespace]) as $other) {
                    $page .= "- [$other](" . $this->file($other) . ")\n";
                }
            }
            $pages[$this->file($namespace)] = $page . "\n" . implode('', array_map($this->describe(...), $classes));
        }
        if ($this->undocumented !== []) {
            throw new RuntimeException('no description: ' . implode(', ', $this->undocumented));
        }
        return $pages;
    }

    private function file(string $namespace): string
    {
        return $namespace === $this->root ? 'index.md' : strtolower(substr($namespace, strlen($this->root) + 1)) . '.md';
    }

    private function describe(ReflectionClass $class): string
    {
        $comment = new Comment($class->getDocComment());
        $name = $class->getShortName();
        $kind = match (true) {
            $class->isEnum() => 'enum',
            $class->isInterface() => 'interface',
            default => implode(' ', Reflection::getModifierNames($class->getModifiers())) . ' class',
        };
        $head = trim("$kind $name");
        if ($parent = $class->getParentClass()) {
            $head .= ' extends ' . $parent->getShortName();
        }
        $interfaces = array_diff($class->getInterfaceNames(), $parent ? $parent->getInterfaceNames() : [], ['UnitEnum', 'BackedEnum', 'Traversable', 'Stringable']);
        if ($interfaces !== []) {
            $head .= ' implements ' . implode(', ', $interfaces);
        }
        $page = "## $name {#$name}\n\n" . $this->signature($head, $name) . $this->prose($comment, $name);
        if ($class->isEnum()) {
            $page .= $this->table(['case', 'value', ''], array_map(fn ($case) => [
                $case->name,
                $case instanceof ReflectionEnumBackedCase ? var_export($case->getBackingValue(), true) : '',
                $this->text($this->required(new Comment($case->getDocComment()), "$name::{$case->name}")),
            ], (new ReflectionEnum($class->getName()))->getCases()));
        }
        foreach ($class->getReflectionConstants(ReflectionClassConstant::IS_PUBLIC) as $constant) {
            if (!$constant->isEnumCase() && $constant->getDeclaringClass() == $class) {
                $page .= "<a id=\"$name.{$constant->name}\"></a>\n\n" . $this->signature("const {$constant->name} = " . var_export($constant->getValue(), true))
                    . $this->prose(new Comment($constant->getDocComment()), "$name::{$constant->name}");
            }
        }
        $page .= $this->properties($class);
        foreach ($class->getMethods(ReflectionMethod::IS_PUBLIC) as $method) {
            $magic = str_starts_with($method->name, '__') && !$method->isConstructor();
            if ($method->getDeclaringClass() == $class && !$magic) {
                $page .= $this->method($class, $method);
            }
        }
        return $page;
    }

    private function properties(ReflectionClass $class): string
    {
        $rows = [];
        foreach ((new Comment($class->getDocComment()))->contents('property-read') as $content) {
            [$type, $rest] = Comment::typed($content);
            [$name, $text] = Comment::typed($rest);
            $rows[] = [$name, $this->type($type), $this->text($text)];
        }
        foreach ($class->getProperties(ReflectionProperty::IS_PUBLIC) as $property) {
            if ($property->getDeclaringClass() != $class || $class->isEnum()) {
                continue;
            }
            $comment = new Comment($property->getDocComment());
            [$type, $text] = Comment::typed($comment->contents('var')[0] ?? '');
            $text = $comment->text ?: $text;
            if ($property->isPromoted()) {
                [$type, $text] = (new Comment($class->getConstructor()->getDocComment()))->parameter($property->name);
            }
            $rows[] = ['$' . $property->name, $this->type($type ?: (string) $property->getType()), $this->text($text)];
        }
        return $this->table(['property', 'type', ''], $rows);
    }

    private function method(ReflectionClass $class, ReflectionMethod $method): string
    {
        $comment = new Comment($method->getDocComment());
        $name = "{$class->getShortName()}::{$method->name}";
        $fields = $method->isConstructor() && array_filter($method->getParameters(), fn ($each) => !$each->isPromoted()) === [];
        if ($comment->has('internal') || ($fields && $comment->text === '')) {
            return '';
        }
        $parameters = array_map(static function (ReflectionParameter $parameter): string {
            $text = trim($parameter->getType() . ' ' . ($parameter->isVariadic() ? '...' : '') . '$' . $parameter->name);
            if (!$parameter->isDefaultValueAvailable()) {
                return $text;
            }
            $value = $parameter->getDefaultValue();
            return "$text = " . match (true) {
                $value instanceof UnitEnum => (new ReflectionClass($value))->getShortName() . '::' . $value->name,
                $value === [] => '[]',
                is_bool($value), $value === null => strtolower(var_export($value, true)),
                default => var_export($value, true),
            };
        }, $method->getParameters());
        $list = implode(', ', $parameters);
        if (strlen($list) > 70) {
            $list = "\n    " . implode(",\n    ", $parameters) . ",\n";
        }
        $returned = $method->hasReturnType() ? ': ' . $method->getReturnType() : '';
        $page = "### $name() {#" . strtr($name, ['::' => '.']) . "}\n\n"
            . $this->signature(($method->isStatic() ? 'static ' : '') . "function {$method->name}($list)$returned");
        [$returns, $what] = Comment::typed($comment->contents('return')[0] ?? '');
        // The parameters of a constructor say enough.
        if ($what === '' && !($method->isConstructor() && $method->getParameters() !== [] && $comment->has('param'))) {
            $this->required($comment, $name);
        }
        $page .= $comment->text === '' ? '' : $this->markdown($comment->text);
        $rows = [];
        foreach ($method->getParameters() as $parameter) {
            [$type, $text] = $comment->parameter($parameter->name);
            if ($type !== '' && !$parameter->isPromoted()) {
                $rows[] = ['$' . $parameter->name, $this->type($type), $this->text($text)];
            }
        }
        $page .= $this->table(['parameter', 'type', ''], $rows);
        if ($returns !== '') {
            $page .= 'Returns ' . $this->type($returns) . ($what === '' ? '' : ': ' . $this->text($what)) . "\n\n";
        }
        $throws = array_map(function (string $content): string {
            [$type, $when] = Comment::typed($content);
            return $this->type($type) . ($when === '' ? '' : ', ' . $this->text($when));
        }, $comment->contents('throws'));
        return $page . ($throws === [] ? '' : 'Throws ' . implode('; ', $throws) . "\n\n");
    }

    private function required(Comment $comment, string $name): string
    {
        if ($comment->text === '') {
            $this->undocumented[] = $name;
        }
        return $comment->text;
    }

    private function prose(Comment $comment, string $name): string
    {
        return $this->markdown($this->required($comment, $name));
    }

    private function markdown(string $text): string
    {
        // Indented blocks are code.
        $text = preg_replace_callback('/(?<=\n\n)(?:    .*(?:\n|$)|\n(?=    ))+/', static fn ($block) => "```php\n" . trim(preg_replace('/^    /m', '', $block[0]), "\n") . "\n```\n", $text . "\n");
        return preg_replace_callback('/(```.*?```)|([^`]+|`[^`]*`)/s', static fn ($part) => $part[1] !== '' ? $part[1] : strtr($part[2], $part[2][0] === '`' ? [] : ['<' => '&lt;', '*' => '\*']), $text) . "\n";
    }

    /** A text within a line or a cell of a table. */
    private function text(string $text): string
    {
        return strtr(preg_replace('/\s+/', ' ', trim($text)), ['|' => '\|', '<' => '&lt;']);
    }

    /** @param string $own the name described here, which gets no link */
    private function signature(string $code, string $own = ''): string
    {
        return '<pre class="signature">' . $this->linked($code, $own) . "</pre>\n\n";
    }

    private function type(string $type): string
    {
        return '<code>' . strtr($this->linked($type), ['|' => '&#124;']) . '</code>';
    }

    /** Links the names of classes, without their namespaces. */
    private function linked(string $code, string $own = ''): string
    {
        $html = htmlspecialchars($code, ENT_NOQUOTES);
        $html = preg_replace('/\b(?:abstract|class|const|enum|extends|final|function|implements|readonly|static)\b(?! = )/', '<b>$0</b>', $html);
        return preg_replace_callback('/(?<![$\w>])\\\\?((?:[A-Z]\w*\\\\)*)([A-Z]\w*)\b(?!\()/', function (array $match) use ($own): string {
            $address = $this->addresses[$match[2]] ?? null;
            $ours = $match[1] === '' || str_starts_with($match[1], $this->root . '\\');
            return $address !== null && $ours && $match[2] !== $own ? '<a href="' . strtr($address, ['.md' => '.html']) . "\">$match[2]</a>" : $match[0];
        }, $html);
    }

    /** @param list<list<string>> $rows */
    private function table(array $columns, array $rows): string
    {
        if ($rows === []) {
            return '';
        }
        $table = '| ' . implode(' | ', $columns) . " |\n|" . str_repeat('---|', count($columns)) . "\n";
        foreach ($rows as [$name, $type, $text]) {
            $table .= "| `$name` | $type | $text |\n";
        }
        return $table . "\n";
    }
}

try {
    foreach ((new Reference($folder, $root))->pages() as $name => $page) {
        file_put_contents("$out/$name", $page);
    }
} catch (RuntimeException $e) {
    fwrite(STDERR, $e->getMessage() . "\n");
    exit(1);
}
