# frozen_string_literal: true

require 'json'
require 'time'

module Torii
  # Bodies of requests: keyword arguments as JSON. A value sets a field, nil clears it; an absent field or
  # {UNSET} leaves it alone. Symbols in snake case become the names of the API; strings, and the content of
  # values such as metadata, stay as they are.
  # @api private
  module Body
    def self.json(fields)
      members = fields.reject { |_, value| UNSET.equal?(value) }.map do |name, value|
        "#{JSON.generate(key(name))}:#{member(name, value)}"
      end
      "{#{members.join(',')}}"
    end

    # @return [String, nil] nil without fields
    def self.filter(fields)
      text = json(fields)
      text unless text == '{}'
    end

    # Converts "first_name" to the API's "firstName".
    def self.key(name)
      name.is_a?(Symbol) ? name.name.gsub(/_([a-z])/) { Regexp.last_match(1).upcase } : name
    end

    def self.member(name, value)
      value = value.iso8601(6) if value.is_a?(Time)
      JSON.generate(value)
    rescue JSON::GeneratorError, JSON::NestingError, EncodingError => e
      raise InvalidArgumentError.new("#{name} not JSON: #{e.message.scrub}", status: :invalid_argument)
    end
    private_class_method :member
  end
end
