import { Argument, Command } from "commander";
import { completionScript, type Shell, SHELLS } from "./completion/scripts.ts";
import { print } from "./output.ts";

const HELP = `
Where each shell looks for them:
  bash: ~/.local/share/bash-completion/completions/firma
  zsh: a file _firma in a directory of $fpath
  fish: ~/.config/fish/completions/firma.fish

Examples:
  firma completions bash > ~/.local/share/bash-completion/completions/firma
  firma completions zsh > ~/.zsh/completions/_firma
  firma completions fish > ~/.config/fish/completions/firma.fish
`;

/** `firma completions bash|zsh|fish` */
export function command(): Command {
  return new Command("completions")
    .description("Print what makes a shell complete command lines of firma.")
    .addArgument(new Argument("<shell>", "the shell to print it for").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => print(completionScript(shell)));
}
