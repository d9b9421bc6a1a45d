# frozen_string_literal: true

module Torii
  # A page of a list: an Enumerable of its items.
  #
  #   client.users.list(limit: 100).all { |user| puts user.email }
  class Page
    include Enumerable

    # @return [Array<Record>]
    attr_reader :items
    # @return [String, nil] the cursor of the next page; nil on the last
    attr_reader :next_cursor

    # @api private
    # @param answer [Hash] the API's answer
    # @param fetch [Proc] returns the page of a cursor
    def initialize(answer, type, &fetch)
      @items = answer.fetch('items').map { |item| type.new(item) }
      @next_cursor = answer['nextCursor']
      @fetch = fetch
    end

    # Calls the block with each item of this page.
    # @return [self, Enumerator]
    def each(&block)
      return to_enum(:each) unless block

      items.each(&block)
      self
    end

    # Whether there is a next page.
    def more? = !next_cursor.nil?

    # Fetches the next page.
    # @return [Page, nil] nil on the last
    def next_page = (@fetch.call(next_cursor) if more?)

    # @return [Enumerator<Page>] this page and those after it, each fetched when it is reached
    def pages
      return to_enum(:pages) unless block_given?

      page = self
      while page
        yield page
        page = page.next_page
      end
    end

    # @return [Enumerator<Record>] the items of this page and of those after it
    def all(&block)
      return to_enum(:all) unless block

      pages { |page| page.items.each(&block) }
    end

    # @return [String] without the items, which may contain personal data
    def inspect = "#<#{self.class} items=#{items.size} more=#{more?}>"
  end
end
