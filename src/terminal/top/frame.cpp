#include "terminal/top/frame.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "job/state.h"
#include "terminal/top/columns.h"

namespace usvc::top {

namespace {

constexpr Size least_size{30, 6};
constexpr std::size_t gutter = 2;
constexpr std::size_t most_troubles = 3;

std::string as_ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else if (byte >= 0xc0) {
      out += '?';
    }
  }
  return out;
}

// The text in exactly so many columns.
std::string fitted(std::string_view text, std::size_t width, bool to_the_right) {
  std::string cut(cut_to(text, width));
  const std::string space(width - std::min(width, display_width(cut)), ' ');
  return to_the_right ? space + cut : cut + space;
}

void cut_row(Row& row, std::size_t width, Charset charset) {
  std::size_t left = width;
  for (auto& piece : row.pieces) {
    if (charset == Charset::ascii) piece.text = as_ascii(piece.text);
    piece.text = cut_to(piece.text, left);
    left -= std::min(left, display_width(piece.text));
  }
}

std::optional<Cell> cell_of(Column column) {
  switch (column) {
    case Column::name:
      return Cell::name;
    case Column::pid:
      return Cell::pid;
    case Column::group:
      return Cell::group;
    case Column::status:
      return Cell::status;
    case Column::cpu:
      return Cell::cpu;
    case Column::mem:
      return Cell::mem;
    case Column::up:
      return Cell::up;
    case Column::deaths:
      return Cell::deaths;
    case Column::md5:
      return Cell::md5;
    case Column::cmd:
      return Cell::cmd;
    case Column::cpu_line:
    case Column::mem_line:
      return std::nullopt;
  }
  return std::nullopt;
}

Column column_of(SortKey key) {
  switch (key) {
    case SortKey::name:
      return Column::name;
    case SortKey::cpu:
      return Column::cpu;
    case SortKey::mem:
      return Column::mem;
    case SortKey::up:
      return Column::up;
    case SortKey::deaths:
      return Column::deaths;
    case SortKey::state:
      return Column::status;
  }
  return Column::name;
}

Widest widest_of(const Model& model) {
  Widest widest;
  for (const auto& [name, entry] : model.all()) {
    widest.name = std::max(widest.name, name.size());
    widest.group = std::max(widest.group, entry.view.group.size());
    if (entry.view.pid) widest.pid = std::max(widest.pid, std::to_string(*entry.view.pid).size());
    widest.deaths = std::max(widest.deaths, std::to_string(entry.view.deaths).size());
  }
  return widest;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class Composer {
 public:
  Composer(Model& model, const Controls& controls, const Surroundings& around, Size size, Charset charset)
      : model_(&model), controls_(&controls), around_(&around), size_(size), charset_(charset) {}

  std::vector<Row> table(const Plan& plan) {
    add_line(around_->host, {Color::bold});
    add_summary();
    for (std::size_t i = 0; i < plan.troubles; ++i) add_line("! " + around_->troubles[i], {Color::red});
    add_jobs(plan.jobs);
    if (plan.output > 0) add_output(plan.output);
    add_footer();
    return take();
  }

  std::vector<Row> pane(const Pane& pane) {
    add_line(around_->host, {Color::bold});
    const std::size_t last = std::min(pane.first() + pane.page(), pane.rows().size());
    std::string title = pane.title();
    if (pane.rows().size() > pane.page())
      title += fmt::format("  {}-{} of {}", pane.first() + 1, last, pane.rows().size());
    add_line(fitted(title, size_.width, false), {Color::plain, true});
    for (std::size_t i = 0; i < pane.page(); ++i) {
      add_line(pane.first() + i < last ? pane.rows()[pane.first() + i] : std::string());
    }
    Row footer;
    if (!add_message(footer)) {
      add_keys(footer, {{arrows(), "line"}, {"Space b", "page"}, {"g G", "begin, end"}, {"q Esc", "back"}});
    }
    rows_.push_back(std::move(footer));
    return take();
  }

  std::vector<Row> too_small() {
    add_line("too small", {Color::bold});
    add_line(fmt::format("{}x{}", size_.width, size_.height));
    add_line(fmt::format("need {}x{}", least_size.width, least_size.height));
    return take();
  }

 private:
  std::string_view arrows() const { return charset_ == Charset::unicode ? "↑ ↓" : "j k"; }

  std::vector<Row> take() {
    rows_.resize(size_.height);
    for (auto& row : rows_) cut_row(row, size_.width, charset_);
    return std::move(rows_);
  }

  void add_line(std::string text, Style style = {}) {
    Row row;
    row.add(std::move(text), style);
    rows_.push_back(std::move(row));
  }

  void add_summary() {
    std::size_t live = 0;
    std::size_t trouble = 0;
    std::size_t marked = 0;
    for (const auto& [name, entry] : model_->all()) {
      const auto state = job_state_from(entry.view.state);
      if (state && is_live(*state)) ++live;
      if (!entry.trouble.empty()) ++trouble;
      if (entry.marked) ++marked;
    }
    Row row;
    row.add(counted(model_->all().size(), "job") + fmt::format(", {} live", live));
    if (trouble > 0) row.add(fmt::format(", {} in trouble", trouble), {Color::red});
    if (marked > 0) row.add(fmt::format(", {} marked", marked), {Color::cyan});
    if (model_->only_trouble()) row.add("  [only trouble]", {Color::cyan});
    if (!model_->filter().empty() && !controls_->editing_filter()) {
      row.add("  [filter: " + model_->filter() + "]", {Color::cyan});
    }
    if (!around_->word.empty()) row.add("  " + around_->word, {around_->word_is_bad ? Color::red : Color::yellow});
    rows_.push_back(std::move(row));
  }

  void add_titles(const std::vector<Placed>& columns) {
    const bool descending = model_->descending();
    const std::string_view mark = charset_ == Charset::unicode ? (descending ? "▼" : "▲") : (descending ? "v" : "^");
    Row row;
    row.add(std::string(gutter, ' '), {Color::plain, true});
    for (const auto& placed : columns) {
      const auto cell = cell_of(placed.column);
      std::string_view title = cell ? cell_titles[static_cast<std::size_t>(*cell)] : "";
      const bool sorted = placed.column == column_of(model_->sort_key());
      // The mark must be seen, whatever becomes of the title.
      std::string text = sorted ? std::string(cut_to(title, placed.width - 1)).append(mark) : std::string(title);
      text = fitted(text, placed.width, right_aligned(placed.column));
      row.add(std::move(text), {sorted ? Color::cyan : Color::plain, true});
      if (&placed != &columns.back()) row.add(" ", {Color::plain, true});
    }
    rows_.push_back(std::move(row));
  }

  std::string cell_text(const Entry& entry, const JobRow& job, Column column, std::size_t width) const {
    if (column == Column::cpu_line) return cpu_line(entry.cpu.last(model_->tick(), width), charset_);
    if (column == Column::mem_line) return memory_line(entry.mem.last(model_->tick(), width), charset_);
    const auto cell = cell_of(column);
    return cell ? job.at(*cell) : std::string();
  }

  Row job_row(const Entry& entry, bool selected, const std::vector<Placed>& columns) const {
    const JobRow job = model_->row(entry);
    std::string line;
    line += selected ? '>' : ' ';
    line += entry.marked ? '*' : ' ';
    for (const auto& placed : columns) {
      if (&placed != &columns.front()) line += ' ';
      line += fitted(cell_text(entry, job, placed.column, placed.width), placed.width, right_aligned(placed.column));
    }
    if (!job.trouble.empty()) {
      // What is wrong matters more than what stands to the right; name and state matter as much.
      const std::string mark = " ! " + job.trouble;
      const std::size_t mark_width = display_width(mark);
      const std::size_t kept = gutter + columns.front().width + 1;
      const std::string_view text = trimmed_end(line);
      const std::size_t room = size_.width > mark_width ? size_.width - mark_width : 0;
      std::string with_mark(cut_to(text, std::max(room, kept)));
      line = with_mark + mark;
    }
    Row row;
    row.add(fitted(line, size_.width, false), {job.color, selected});
    return row;
  }

  static std::string_view trimmed_end(std::string_view text) {
    const auto last = text.find_last_not_of(' ');
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }

  void add_jobs(std::size_t lines) {
    const auto columns = place_columns(size_.width - gutter, widest_of(*model_));
    add_titles(columns);
    const auto& shown = model_->shown();
    const std::size_t first = model_->scroll(lines);
    for (std::size_t i = 0; i < lines; ++i) {
      const std::size_t at = first + i;
      if (at < shown.size()) {
        rows_.push_back(job_row(*shown[at], at == model_->selected_line(), columns));
      } else {
        add_line(i == 0 && shown.empty() ? nothing_words() : std::string(), {Color::dim});
      }
    }
  }

  std::string nothing_words() const {
    if (model_->all().empty()) return "  there are no jobs (usvc start CMD makes one)";
    return "  no job is shown: Esc takes filters away";
  }

  void add_output(std::size_t lines) {
    const std::string_view dash = charset_ == Charset::unicode ? "─" : "-";
    const Entry* entry = model_->selected();
    std::string rule;
    for (int i = 0; i < 2; ++i) rule += dash;
    rule += entry != nullptr ? " last lines of " + entry->view.name + " " : " ";
    for (std::size_t width = display_width(rule); width < size_.width; ++width) rule += dash;
    add_line(std::move(rule), {Color::dim});
    const auto& output = around_->output;
    const std::size_t skipped = output.size() > lines ? output.size() - lines : 0;
    for (std::size_t i = 0; i < lines; ++i) {
      add_line(skipped + i < output.size() ? output[skipped + i] : std::string());
    }
  }

  bool add_message(Row& row) const {
    if (!controls_->question().empty()) {
      row.add(controls_->question(), {Color::yellow});
      row.add("  y: yes, any other key: no", {Color::bold});
      return true;
    }
    if (controls_->message().empty()) return false;
    row.add(controls_->message(), {controls_->message_is_bad() ? Color::red : Color::green});
    return true;
  }

  static void add_keys(Row& row, const std::vector<std::pair<std::string_view, std::string_view>>& keys) {
    for (const auto& [key, what] : keys) {
      if (!row.pieces.empty()) row.add("  ");
      row.add(std::string(key), {Color::bold});
      row.add(" " + std::string(what), {Color::cyan});
    }
  }

  void add_footer() {
    Row row;
    if (controls_->editing_filter()) {
      row.add("filter: ", {Color::bold});
      row.add(model_->filter());
      row.add(" ", {Color::plain, true});
      row.add("  Enter: keep it, Esc: take it away", {Color::dim});
    } else if (!add_message(row)) {
      std::vector<std::pair<std::string_view, std::string_view>> keys;
      std::size_t width = 0;
      for (const auto& key : key_help()) {
        const auto shown = key.keys.substr(0, key.keys.find(' '));
        if (!key.brief.empty()) width += shown.size() + key.brief.size() + 3;
        if (!key.brief.empty() && width <= size_.width + 2) keys.emplace_back(shown, key.brief);
      }
      add_keys(row, keys);
    }
    rows_.push_back(std::move(row));
  }

  Model* model_;
  const Controls* controls_;
  const Surroundings* around_;
  Size size_;
  Charset charset_;
  std::vector<Row> rows_;
};

}  // namespace

std::string Row::text() const {
  std::string text;
  for (const auto& piece : pieces) text += piece.text;
  return text;
}

Plan plan_rows(Size size, std::size_t jobs, std::size_t troubles) {
  Plan plan;
  plan.too_small = size.width < least_size.width || size.height < least_size.height;
  if (plan.too_small) return plan;
  plan.pane = size.height - 3;
  std::size_t left = size.height - 4;  // machine, summary, titles, keys
  plan.troubles = std::min({troubles, most_troubles, left / 4});
  left -= plan.troubles;
  const std::size_t least_output = size.height < 14 ? 0 : size.height / 5;
  if (least_output == 0) {
    plan.jobs = left;
    return plan;
  }
  const std::size_t needed = std::max<std::size_t>(jobs, 3);
  plan.jobs = std::min(left - 1 - least_output, needed);
  plan.output = left - 1 - plan.jobs;
  return plan;
}

std::vector<Row> compose(Model& model, const Controls& controls, const Surroundings& around, Size size,
                         Charset charset) {
  const Plan plan = plan_rows(size, model.all().size(), around.troubles.size());
  Composer composer(model, controls, around, size, charset);
  if (plan.too_small) return composer.too_small();
  if (controls.pane() != nullptr) return composer.pane(*controls.pane());
  return composer.table(plan);
}

}  // namespace usvc::top
