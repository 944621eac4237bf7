"""Who lives in the demo, and how they talk. Invented people; nothing here is about anybody."""

from typing import NamedTuple


class Person(NamedTuple):
    """One member of the demo: handle, name and language."""

    handle: str
    name: str
    locale: str


AREAS = (
    "Northside",
    "Old Harbour",
    "Mill Quarter",
    "Station Road",
    "Hillcrest",
    "Riverside",
    "Canal Bank",
    "Allotments",
)

_ENGLISH = (
    "ana Ana|ben Ben|cleo Cleo|dora Dora|mo_f Mo Farouk|tess_k Tess Kearney|jonno Jon Okafor|wren Wren|big_al Alan Pryce|"
    "sunny Sunita Rao|fix_it_fi Fiona Blake|leroy Leroy Grant|hatice Hatice Demir|oldtom Thomas Reed|kit Kit|priya Priya Nair|"
    "mags Margaret Doyle|dee Deirdre Walsh|yusuf Yusuf Ali|nell Nell Hughes|bram Bram|ife Ife Adeyemi|carol_b Carol Bright|"
    "sparrow Jo Sparrow|mei Mei Lin|gus Gus|roza Roza Nowak|stan Stanislav|pip Pip|edie Edith Cole|rafa_w Rafa Winter|"
    "amina Amina Hassan|col Colin Marsh|bea Bea|olu Olu|tilda Tilda Frost|vik Vikram|joan Joan Harper|sid Sid|hana Hana Sato|"
    "mick Michael Dunn|lotte Lotte|zed Zed|ruth Ruth Abel|karim Karim|flo Florence|ned Ned Barlow|ivy Ivy"
)
_SPANISH = (
    "marisol Marisol Vega|chema José María|lola_r Lola Ruiz|paco Paco|itziar Itziar|nuria Nuria Soler|manu Manuel|"
    "rosario Rosario|quique Enrique|belen Belén|goyo Gregorio|ximena Ximena|tono Antonio|pilar Pilar|andres_m Andrés Mena|"
    "lupe Guadalupe|fermin Fermín|carmela Carmela|sole Soledad|nacho Ignacio|dulce Dulce|eloy Eloy|yolanda Yolanda|"
    "beto Alberto|marta_v Marta Vidal|iker Iker|paz Paz|ramon Ramón|vero Verónica|charo Charo|luz Luz|teo Teodoro"
)


def _people(listed: str, locale: str) -> list[Person]:
    return [Person(handle, name, locale) for handle, _, name in (entry.partition(" ") for entry in listed.split("|"))]


# Ana and Ben first: the demo's sign-in is Ana's. English and Spanish speakers stand mixed.
PEOPLE: tuple[Person, ...] = tuple(_people(_ENGLISH, "en") + _people(_SPANISH, "es"))

# What people looked for last month and nobody offered, and how many different people.
LOOKED_FOR = (
    ("upholstery", 6),
    ("piano tuning", 5),
    ("lip reading", 4),
    ("glass blowing", 4),
    ("marquetería", 3),
)

ABOUT = {
    "en": (
        "I fixed things on ships for twenty years. Now I fix them at home, and like company while I do.",
        "Two kids, one garden, a shed full of half-finished chairs.",
        "I cook for forty every Friday and would like to do it with less stress.",
        "Night shifts at the hospital. Mornings are best for me.",
        "I came here with one suitcase and a sewing machine.",
        "Learning one new thing a year. This year: bread.",
        "Retired printer. My hands still know where everything is.",
        "I like explaining why. My family would like me to explain it to somebody else.",
    ),
    "es": (
        "He trabajado media vida en un taller. Ahora enseño lo que sé y aprendo lo que nunca pude.",
        "Tengo un huerto pequeño y muchas ganas de compartir semillas.",
        "Trabajo por las noches. Las mañanas me van mejor.",
        "Mi abuela cosía para todo el barrio. Yo empiezo ahora.",
        "Me gusta saber por qué funcionan las cosas.",
        "Cocino para mucha gente y me gustaría aprender a hacerlo con calma.",
    ),
}

OFFER_TITLES = {
    "en": (
        "{skill}, from the very start",
        "{skill}: ask me anything",
        "{skill} without fear",
        "An evening of {skill_lower}",
        "{skill}: the part nobody tells you",
        "{skill} for people who were told they cannot",
        "{skill} with what you have at home",
        "{skill}, slowly, as often as you like",
    ),
    "es": (
        "{skill}, desde cero",
        "{skill}: pregunta lo que quieras",
        "{skill} sin miedo",
        "{skill}: lo que nadie te cuenta",
        "{skill} con lo que tienes en casa",
        "{skill}, despacio y con preguntas",
        "Una tarde de {skill_lower}",
    ),
}
WANT_TITLES = {
    "en": (
        "I want to learn {skill_lower}",
        "Who can show me {skill_lower}?",
        "{skill}: I am stuck and would like help",
    ),
    "es": ("Quiero aprender {skill_lower}", "¿Quién me enseña {skill_lower}?", "{skill}: me he quedado atascada"),
}
FOR_WHAT = {
    "en": (
        "I would like to do it at home instead of paying for it.",
        "For our tenants' group.",
        "My mother used to, I never asked her how.",
    ),
    "es": ("Para hacerlo en casa.", "Para el grupo de vecinas.", "Mi padre lo hacía y nunca le pregunté."),
}
BEFORE = {
    "en": ("Nothing. Come as you are.", "Nothing, but wear old clothes.", "It helps if you have tried once."),
    "es": ("Nada. Ven como estés.", "Nada, pero trae ropa vieja.", "Ayuda haberlo intentado una vez."),
}
TIMES = {
    "en": ("Evenings after six", "Saturday mornings", "Weekdays before noon", "Any Sunday", "Thursdays"),
    "es": ("Tardes después de las seis", "Sábados por la mañana", "Entre semana por la mañana", "Los domingos"),
}
SESSION_TITLES = {
    "en": (
        "{skill}: try it yourself",
        "{skill}, hands on",
        "First steps: {skill_lower}",
        "{skill}, second go",
        "{skill}, slowly",
    ),
    "es": ("{skill}: pruébalo", "{skill}, manos a la obra", "Primeros pasos: {skill_lower}", "{skill}, despacio"),
}
LINES = {
    "en": (
        "It worked at the second try.",
        "We ran out of time for the last part, so again next week.",
        "Good questions about why.",
        "Everybody took something home.",
        "The tricky bit was the start.",
        "",
    ),
    "es": (
        "A la segunda salió bien.",
        "Nos faltó tiempo para el final.",
        "Muchas preguntas sobre el porqué.",
        "Lo difícil fue empezar.",
        "",
    ),
}
GOALS = {
    "en": ("To do it alone next time.", "To understand why mine fails.", "", ""),
    "es": ("Hacerlo sola la próxima vez.", "Entender por qué me falla.", "", ""),
}
BRING = {
    "en": ("Old clothes and something to write with.", "The thing you want to mend.", "Nothing, all is there."),
    "es": ("Ropa vieja y algo para escribir.", "Lo que quieras arreglar.", "Nada, aquí hay de todo."),
}
PLACES = (
    "Union hall, back room, 14 Dock Street",
    "Community kitchen, 3 Mill Lane",
    "The shed behind 22 Hill Road",
    "Library, room 2, Station Road 9",
)
KIND_NOTES = {
    "en": (
        "Nearly. Say once more why the order matters.",
        "The first half was clear. Practise the end slowly.",
        "Try it without looking at the notes.",
    ),
    "es": (
        "Casi. Explica otra vez por qué importa el orden.",
        "La primera parte estaba clara. Practica el final despacio.",
        "Inténtalo sin mirar las notas.",
    ),
}
NOTES = {
    "en": ("I showed it at my place, with my own tools.", "I said the why before each step this time.", ""),
    "es": ("Lo enseñé en mi casa, con mis herramientas.", "Esta vez dije el porqué antes de cada paso.", ""),
}

# Pages that members of the demo wrote themselves: name, summary, practice, theory.
OWN_SKILLS = (
    (
        "Oiling a squeaky door",
        "Make a door quiet again.",
        "You lift the pin, wipe it, put a little grease on it and put it back.",
        "Metal squeaks when dry parts stick and slip many times a second. Grease keeps them apart.",
    ),
    (
        "Waxing a bread board",
        "Keep a wooden board from drying out.",
        "You warm oil and beeswax, rub it in and wipe off what is left.",
        "Wood moves when water goes in and out. Wax fills the pores and slows the water down.",
    ),
    (
        "Reading a seed packet",
        "Find out when and how deep to sow.",
        "You find the month, the depth and the distance, and mark them on a string.",
        "A seed holds food for a short way to the light. Too deep, and it runs out before it gets there.",
    ),
    (
        "Folding a paper lantern",
        "A lantern from one sheet.",
        "You fold, cut slits up to the line, open it and glue the edge.",
        "Folds make thin paper stiff, because bending across a fold has to stretch it.",
    ),
    (
        "Freeing a stuck zip",
        "Get a zip to run again.",
        "You brush the teeth, rub a candle along them and work the slider back and forth.",
        "The slider bends each tooth into the gap opposite. Wax lowers the rubbing that stops it.",
    ),
    (
        "Packing a first aid tin",
        "A small tin that has what is needed.",
        "You lay out the parts, check the dates and pack what you need first on top.",
        "In a hurry people take what is on top, so the order of packing is a decision made in calm.",
    ),
    (
        "Writing a good sign",
        "A sign people read while walking past.",
        "You write seven words or fewer, big letters, one arrow, and look from ten steps away.",
        "Eyes catch the shape of short words. Each extra line makes every line smaller.",
    ),
    (
        "Setting up a borrowed projector",
        "Picture and sound in five minutes.",
        "You place it, plug in, choose the source and square the picture.",
        "The picture is a cone of light: tilt the machine and one side travels further and grows.",
    ),
    (
        "Making oat milk",
        "Milk from oats and water.",
        "You blend cold water and oats briefly and press it through a cloth.",
        "Cold and short blending keeps the starch from swelling, so the milk does not turn slimy.",
    ),
    (
        "Storing tools for the winter",
        "No rust in spring.",
        "You clean, dry, oil and hang them off the floor.",
        "Rust needs water and air at the metal. Oil keeps both away; the floor is where the damp is.",
    ),
)
