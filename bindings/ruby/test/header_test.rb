# frozen_string_literal: true

require_relative 'test_helper'
require 'open3'

# The gem's declarations are those of torii.h.
class HeaderTest < Minitest::Test
  HEADER = File.read(ENV.fetch('TORII_HEADER')).gsub(%r{/\*.*?\*/}m, '').gsub(%r{//.*$}, '')
  SIZES = { 'uint32_t' => 4, 'int64_t' => 8, 'torii_span_t' => 8 }.freeze
  VALUES = { 'void' => 'void', 'bool' => 'bool', 'size_t' => 'size_t', 'uint32_t' => 'uint32',
             'int64_t' => 'int64' }.freeze
  # Functions whose text may contain U+0000, which FFI's :string would cut.
  BYTES = %w[torii_json_text].freeze
  # Functions of which the gem has no use, with their prefix.
  UNUSED = /\Atorii_(auth|fetch|patch|json)_|_nowait\z/.freeze

  def test_functions
    attached = attached_functions
    refute_empty attached
    attached.each do |alias_name, (name, parameters, result)|
      expected = functions.fetch(name) { flunk "#{name} is not in torii.h" }
      assert_equal expected, [parameters, result], alias_name
    end
  end

  def test_every_function_is_attached_or_of_no_use
    attached = attached_functions.values.map(&:first)
    missing = functions.keys.grep_v(UNUSED) - attached
    assert_equal %w[torii_error_status torii_verifier_authenticate torii_verifier_claim_fetch
                    torii_verifier_due_in_ms torii_verifier_refresh_due torii_verify_token], missing.sort
  end

  def test_numbers
    assert_equal Torii::Native::ABI_VERSION, HEADER[/define TORII_ABI_VERSION (\d+)/, 1].to_i
    assert_equal Torii::Call::MAX_CAPACITY, HEADER[/define TORII_RECORD_MAX (\d+)/, 1].to_i
    assert_equal Torii::VERSION, %w[MAJOR MINOR PATCH].map { |part| HEADER[/TORII_VERSION_#{part} (\d+)/, 1] }.join('.')
    assert_equal numbers('TORII_REQUIRE_'), Torii::Auth::FLAGS
    how = numbers('TORII_VERIFY_')
    assert_equal({ header: verifier(:HEADER), nowait: verifier(:NOWAIT) }, how)
    statuses = numbers('TORII_(?=OK|ERR)')
    assert_equal({ err_buffer_too_small: verifier(:BUFFER_TOO_SMALL), err_keys_pending: verifier(:KEYS_PENDING) },
                 statuses.slice(:err_buffer_too_small, :err_keys_pending))
  end

  CLASSES = { 'INVALID_ARGUMENT' => 'InvalidArgument', 'INVALID_CONFIG' => 'InvalidConfig',
              'BUFFER' => 'InvalidArgument', 'TOKEN' => 'Token', 'POLICY' => 'Policy', 'KEYS' => 'KeysUnavailable',
              'API' => 'Api', 'TRANSPORT' => 'Transport', 'TIMEOUT' => 'Timeout', 'RESPONSE' => 'Response',
              'WEBHOOK' => 'Webhook', 'INTERNAL' => 'Internal' }.freeze

  def test_every_status_has_its_class
    numbers('TORII_ERR_').each do |name, number|
      _, expected = CLASSES.find { |prefix, _| name.to_s.upcase.start_with?(prefix) }
      assert_equal Torii.const_get("#{expected}Error"), Torii::Error.send(:of, number), name
    end
  end

  def test_the_layout_of_a_record
    offset = 0
    offsets = fields.to_h { |type, name| [name, (offset += SIZES.fetch(type)) - SIZES.fetch(type)] }
    texts = fields.filter_map { |type, name| name if type == 'torii_span_t' }
    record = ("\0" * offset).b
    put = ->(name, format, *values) { record[offsets.fetch(name), values.pack(format).bytesize] = values.pack(format) }
    texts.each do |name|
      put.call(name, 'L2', record.bytesize, name.bytesize)
      record << "#{name}\0"
    end
    put.call('size', 'L', record.bytesize)
    put.call('header_size', 'L', offset)
    put.call('flags', 'L', 9)
    put.call('issued_at', 'q', -1)
    put.call('expires_at', 'q', 1 << 40)
    auth = Torii::Auth.read(FFI::MemoryPointer.from_string(record))
    assert_equal texts, texts.map { |name| auth.public_send(name) }
    assert_equal [9, true, false, -1, 1 << 40],
                 [auth.flags, auth.email_verified?, auth.profile_complete?, auth.issued_at.to_i, auth.expires_at.to_i]
    put.call('header_size', 'L', offset - 1)
    assert_raises(Torii::InternalError) { Torii::Auth.read(FFI::MemoryPointer.from_string(record)) }
  end

  private

  def verifier(name) = Torii::Verifier.const_get(name)

  # @return [Hash{String => Array}] parameters and result of each function of torii.h, as FFI names them
  def functions
    HEADER.scan(/TORII_API\s+(?:TORII_NODISCARD\s+)?([^;(]*?)(torii_\w+)\((.*?)\);/m).to_h do |result, name, parameters|
      parameters = parameters.gsub(/int64_t \(\*\w+\)\([^)]*\)/, 'clock')
      types = parameters.split(',').map { |each| type(each.strip) } - ['void']
      [name, [types, result(name, result.strip)]]
    end
  end

  def type(parameter)
    case parameter
    when 'clock', 'void' then parameter
    when /\Aconst char \*\w+\z/ then 'buffer_in'
    when /\*/ then 'pointer'
    else VALUES.fetch(parameter[/\A\w+/])
    end
  end

  def result(name, type)
    return BYTES.include?(name) ? 'pointer' : 'string' if type == 'const char *'
    return 'pointer' if type.end_with?('*')

    type == 'torii_status_t' || type == 'torii_json_type_t' ? 'uint32' : VALUES.fetch(type)
  end

  def fields
    HEADER[/typedef struct \{([^}]*)\} torii_record_t;/, 1].scan(/(\w+) (\w+(?:, \w+)*);/).flat_map do |type, names|
      names.split(', ').map { |name| [type, name] }
    end
  end

  def numbers(prefix)
    HEADER.scan(/^\s+#{prefix}(\w+) = (\d+)/).to_h { |name, value| [name.downcase.to_sym, value.to_i] }
  end

  # @return [Hash{String => Array}] the C name, parameters and result by the name in Ruby
  def attached_functions
    output, status = Open3.capture2e('ruby', '-Ilib', '-rffi', '-rjson', '-e', <<~'RUBY')
      recorded = {}
      record = Module.new do
        define_method(:attach_function) do |name, *rest, **options|
          arguments = rest.dup
          c_name = arguments.first.is_a?(Array) ? name : arguments.shift
          recorded[name] = [c_name, *arguments]
          options.empty? ? super(name, *rest) : super(name, *rest, options)
        end
      end
      FFI::Library.prepend(record)
      require 'torii'
      puts JSON.generate(recorded)
    RUBY
    assert_predicate status, :success?, output
    JSON.parse(output)
  end
end
